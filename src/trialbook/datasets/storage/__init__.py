"""What a repository stands on: its objects by their meaning, folders, other places; giving space back."""
