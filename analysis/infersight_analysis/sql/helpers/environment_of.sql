-- Where something runs, of its resource: the first name is the present one of OpenTelemetry's conventions.
coalesce(resource['deployment.environment.name']::varchar, resource['deployment.environment']::varchar)
