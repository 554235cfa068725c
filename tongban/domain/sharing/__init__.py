"""Data asked of other departments so that the applicant need not bring it (数据共享、免于提交)."""
