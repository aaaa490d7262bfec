"""A company that checks people, where the operator chose one: asked about answers, its script in a frame. Rule: nothing of an answer is kept."""
