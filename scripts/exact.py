"""Exact statistics with fractions: what scripts compare results with. No result here comes from the project's programs."""

import math
from fractions import Fraction


def mean(values):
    """`None` of no values."""
    values = list(values)
    return Fraction(sum(values), len(values)) if values else None


def spread(left, right):
    """n * sum(x*y) - sum(x) * sum(y)."""
    return len(left) * sum(x * y for x, y in zip(left, right)) - sum(left) * sum(right)


def variance(values):
    """Of a sample; `None` of fewer than two values."""
    values, n = list(values), len(values)
    return Fraction(spread(values, values), n * (n - 1)) if n > 1 else None


def pvariance(values):
    """Of a whole population; `None` of no values."""
    values, n = list(values), len(values)
    return Fraction(spread(values, values), n * n) if n else None


def stddev(values):
    """Of a sample; `None` of fewer than two values."""
    square = variance(values)
    return None if square is None else math.sqrt(square)


def correlation(left, right):
    """Pearson's; `None` where either does not vary."""
    left, right = list(left), list(right)
    spreads = spread(left, left), spread(right, right)
    return float(spread(left, right)) / math.sqrt(spreads[0] * spreads[1]) if all(spreads) else None


def quotient(above, below):
    """`None` where either is, or the second is zero."""
    return None if above is None or not below else Fraction(above) / below


def difference(left, right):
    """`None` where either is."""
    return None if left is None or right is None else left - right


def bins(edges):
    """For each group between two edges: its name, and whether a value is in it. The last one ends with its edge."""
    ends = list(zip(edges, edges[1:]))
    number = lambda edge: str(edge) if isinstance(edge, int) else f"{float(edge):g}"
    is_in = lambda low, high: lambda value: low <= value and (value < high or value == high == edges[-1])
    return {f"{number(low)}..{number(high)}": is_in(low, high) for low, high in ends}


def regression(outcome, predictors):
    """Least squares with an intercept, by the normal equations, exactly; `predictors` are columns by name. `None` where
    there are too few rows, or one predictor follows from the others."""
    columns = [list(column) for column in predictors.values()]
    rows = [[Fraction(1), *(Fraction(column[row]) for column in columns)] for row in range(len(outcome))]
    size = len(columns) + 1
    if len(rows) <= size:
        return None
    matrix = [[sum(row[i] * row[j] for row in rows) for j in range(size)] for i in range(size)]
    inverse = [line + [Fraction(i == j) for j in range(size)] for i, line in enumerate(matrix)]
    for column in range(size):
        pivot = next((row for row in range(column, size) if inverse[row][column] != 0), None)
        if pivot is None:
            return None
        inverse[column], inverse[pivot] = inverse[pivot], inverse[column]
        inverse[column] = [cell / inverse[column][column] for cell in inverse[column]]
        for row in range(size):
            if row != column:
                factor = inverse[row][column]
                inverse[row] = [cell - factor * other for cell, other in zip(inverse[row], inverse[column])]
    inverse = [line[size:] for line in inverse]
    products = [sum(row[i] * y for row, y in zip(rows, outcome)) for i in range(size)]
    estimates = [sum(a * b for a, b in zip(line, products)) for line in inverse]
    residuals = [y - sum(a * b for a, b in zip(row, estimates)) for row, y in zip(rows, outcome)]
    squares = sum(residual**2 for residual in residuals)
    total = sum((y - mean(outcome)) ** 2 for y in outcome)
    names = ["intercept", *predictors]
    errors = [math.sqrt(squares / (len(rows) - size) * inverse[i][i]) for i in range(size)]
    return {
        "coefficients": {name: float(value) for name, value in zip(names, estimates)},
        "standard_errors": dict(zip(names, errors)),
        "t": {name: float(value) / error for name, value, error in zip(names, estimates, errors)},
        "r_squared": float(1 - squares / total),
        "n": len(rows),
    }


def as_json(value):
    """A result as JSON has it: whole numbers as they are, others as the nearest double."""
    if isinstance(value, dict):
        return {str(key): as_json(cell) for key, cell in value.items()}
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value


def is_same(found, expected, tolerance):
    """Equal, numbers up to a relative tolerance."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(is_same(found[key], expected[key], tolerance) for key in found)
    if isinstance(found, bool) or isinstance(expected, bool) or found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)
