"""The dataset engine, by its nouns and verbs; ``docs/design/dataset-format.md`` is its law."""
