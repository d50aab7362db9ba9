-- A message without its values: its first line with numbers, ids, addresses and quoted texts as `*`. RE2 looks at no
-- character twice: the one before a number, which must not belong to a word, is matched with it and put back.
regexp_replace(
    split_part(trim(message, e' \t\r\n\v\f'), e'\n', 1),
    '''[^''\n]*''|"[^"\n]*"'
    || '|(^|[^\pL\pN_.])(?:0x[0-9a-fA-F]+'
    || '|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b|[0-9a-fA-F]{12,}\b'
    || '|[-+]?[0-9][0-9.,:_]*(?:e[-+]?[0-9]+)?[0-9]*)'
    || '|0x[0-9a-fA-F]+'
    || '|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b|\b[0-9a-fA-F]{12,}\b',
    '\1*',
    'g'
)
