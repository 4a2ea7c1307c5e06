"""What is captured of other libraries."""
