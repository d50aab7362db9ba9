-- Of how many inputs of predictions each rule can be told, and how many break it. What stands in braces is put in: two
-- counts for each rule, and which predictions are meant.
select
    count(*) as inputs,
    count(*) filter ({sampled}) as sampled{counts}
from predictions
where {chosen}
