"""A fit as JSON text and back, which may come from anyone.

Read `saved_fit`. `json_text` reads the text, `schema` checks each value, `saved_formula` the formula and `learnt` what
it has learnt from the data.
"""
