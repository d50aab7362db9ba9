select table_name, column_name, key, type
from main.attribute_keys
where (signal is null or table_name = signal) and key ilike pattern
order by table_name, column_name, key
