-- The histograms whose quantiles become series.
select distinct name
from metrics
where type in ('histogram', 'exponential_histogram')
    and time_ns >= $from_ns and time_ns < $until_ns
    and ($metric is null or name = $metric)
    and ($service is null or service_name = $service)
order by name
