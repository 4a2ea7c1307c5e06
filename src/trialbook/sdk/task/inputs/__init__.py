"""What a run is given: parameters, command lines, configurations, variables."""
