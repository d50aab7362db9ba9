-- Which deployment something is of, of its resource.
coalesce(resource['deployment.id']::varchar, resource['deployment.name']::varchar)
