"""Short benchmarks, one after another: `make bench`."""

from benchmarks import planner_cost, policy_cost, proofs, rollout_cost, screening, tuning

if __name__ == "__main__":
    rollout_cost.main()
    policy_cost.main()
    screening.main()
    proofs.main()
    planner_cost.main()
    tuning.main()
