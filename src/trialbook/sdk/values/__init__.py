"""Values of programs as texts of parameters and back, and what public methods take."""
