"""The types of the server's methods: ``api.pyi`` has them, which ``web/generate_types.py`` writes.

They exist for the type checker only: import them under ``TYPE_CHECKING``.
"""
