"""The working-day calendar (工作日历): one stream, a version for each imported year."""
