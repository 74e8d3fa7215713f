"""The contracts of plugins as checks: for `spoofbench plugins check`, and for plugins' own tests.

In a plugin's tests:

    from spoofbench.testing import parametrize_contract

    @parametrize_contract("model", "my-model")
    def test_contract(clause):
        clause.check()
"""

from spoofbench.testing.kit import Clause, Verdict, clauses_of, parametrize_contract, verdicts

__all__ = ["Clause", "Verdict", "clauses_of", "parametrize_contract", "verdicts"]
