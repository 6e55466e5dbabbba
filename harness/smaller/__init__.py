"""A failing episode made as small as it gets, and sent again."""
