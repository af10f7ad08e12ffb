"""The OpenAPI description of every route: a row a route in ``OPERATIONS``, put together by ``document``.

Routes check and answer by hand, as the contract wants it, so FastAPI can't know what they take and give. A test
compares the rows with the mounted routes, and schemathesis the answers with the rows.
"""
