"""Data sources: who is asked so that an applicant need not bring a paper, and how."""
