"""Use a captcha provider that the operator chose: its script in a frame, its verdicts on answers. **Invariant:** nothing of an answer is kept."""
