select table_name, column_name, key, type
from stored.attribute_keys
