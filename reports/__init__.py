"""Tells people and machines what a run found: a journal and its outcome, rendered.

`reports.collect.collect` makes the values that every format needs, once; `reports.formats` lists the formats.
Nothing here sends anything.
"""
