"""A reporter: one line for each number."""


def write(tables, stream):
    """Write ``run group metric value`` for each number, stamps first."""
    for table in tables:
        for stamp in table.stamps:
            stream.write(f"# {stamp}\n")
        for row in table.rows:
            for metric, value in row.values.items():
                stream.write(f"{row.run} {row.group} {metric} {value:.4f}\n")
