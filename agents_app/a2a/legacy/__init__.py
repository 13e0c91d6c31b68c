"""A2A 0.3 on the addresses of 1.0: the SDK converts requests and answers, the same operations do the work.

JSON-RPC tells 0.3 by its method names, HTTP+JSON by the version, gRPC by its service.
"""
