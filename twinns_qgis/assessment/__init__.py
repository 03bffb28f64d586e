"""How good a map is: measures, and reports that show them (METHOD section 4)."""
