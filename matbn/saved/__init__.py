"""A fit as JSON text and back; the text may come from anyone.

Read `saved_fit`. `json_text` reads the text, `schema` checks single values, `saved_formula` checks the formula, and
`learnt` what its transformations have learnt from the data.
"""
