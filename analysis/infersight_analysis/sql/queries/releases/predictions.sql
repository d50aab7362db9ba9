-- What a version predicted, by model and label: sums of weights and of their squares, the moments of confidence, and of
-- predictions whose right label is known, how many were right.
select
    coalesce(model_name, '') as model, label,
    count(*) as recorded, sum(sample_weight) as weight, sum(sample_weight ** 2) as squares,
    count(confidence) as with_confidence,
    coalesce(sum(sample_weight) filter (confidence is not null), 0) as confidence_weight,
    coalesce(sum(sample_weight * confidence), 0) as confidence_sum,
    coalesce(sum(sample_weight * confidence ** 2), 0) as confidence_squares,
    count(label_true) as labelled,
    coalesce(sum(sample_weight) filter (label_true is not null), 0) as labelled_weight,
    coalesce(sum(sample_weight ** 2) filter (label_true is not null), 0) as labelled_squares,
    coalesce(sum(sample_weight) filter (label_true = label), 0) as right_weight
from predictions
where service_name = $service and service_version = $version
    and time_ns >= $from_ns and time_ns < $until_ns
    and label is not null and sample_weight > 0
group by model, label
order by weight desc, model, label
