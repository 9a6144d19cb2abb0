"""Golden cases: what a task's programs have learned and must not forget."""
