"""What `doctor`, `preflight` and `postflight` look at: each thing is green, amber or red, and says what to do."""
