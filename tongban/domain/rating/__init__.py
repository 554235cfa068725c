"""The rating of a case (好差评)."""
