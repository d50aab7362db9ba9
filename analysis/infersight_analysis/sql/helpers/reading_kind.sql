-- What the points of a metric are read as: a gauge, or a sum that may fall, as its value; a counter as its rate a second;
-- a histogram or summary as the mean of what was recorded since the point before.
case
    when type = 'gauge' or (type = 'sum' and not coalesce(is_monotonic, false)) then 'value'
    when type = 'sum' then 'rate'
    else 'mean'
end
