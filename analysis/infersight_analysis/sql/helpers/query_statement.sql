-- A statement without its values, so that the same one with others is the same. Comments go first, together with texts in
-- quotes, which stay: what looks like a comment within a text is none, nor the other way round. Then texts, numbers and
-- parameters of every style become `?`; lists of them, and rows of lists, whatever their length, one; white space one
-- space, or none before a comma or a closing bracket. Names in double quotes stay: they are columns.
trim(regexp_replace(
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(text, '(''(?:[^'']|'''')*(?:''|$))|/\*(?s:.*?)(?:\*/|$)|--[^\n]*', '\1 ', 'g'),
                    '''(?:[^'']|'''')*(?:''|$)|\$\d+\b|%\(\w+\)s|%s\b|\b(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\b',
                    '?', 'g'),
                '\s+([,);])', '\1', 'g'),
            '\s+', ' ', 'g'),
        '\( ?\?(?:, ?\?)+\)', '(?, ...)', 'g'),
    '(\(\?(?:, \.\.\.)?\))(?:, ?\(\?(?:, \.\.\.)?\))+', '\1, ...', 'g'))
