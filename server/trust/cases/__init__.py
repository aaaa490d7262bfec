"""Keep moderation cases: a case collects the reports and detections about one user; here are its queue, pictures, disclosure and appeals."""
