"""The declarations of the language: one file a construct, with its grammar and one handler for each stage.

Only the front door imports these files (`hl_dsl/standard_declarations.py`); the stages find them in the table of
declarations (`hl_dsl/base/declaration_table.py`).
"""
