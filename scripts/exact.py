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
        "p_values": {name: student_p(float(value) / error, len(rows) - size) for name, value, error in zip(names, estimates, errors)},
        "r_squared": float(1 - squares / total),
        "n": len(rows),
    }


def quantile(values, share):
    """The least value that at least the share of them does not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1] if values else None


def incomplete_beta(a, b, x):
    """The regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    if x == 0:
        return 0.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 1000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            c, d = 1 + step / c, 1 / (1 + step * d)
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


def student_p(t, freedom):
    """Two-sided."""
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def student_margin(freedom):
    """The t with a p of 0.05."""
    low, high = 0.0, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if student_p(middle, freedom) > 0.05 else (low, middle)
    return low


def t_test(groups):
    """Welch's, of two labelled lists."""
    if any(len(values) < 2 for values in groups.values()):
        return None
    first, second = groups.values()
    error = [Fraction(spread(values, values), len(values) ** 2 * (len(values) - 1)) for values in (first, second)]
    if sum(error) == 0:
        return None
    freedom = float(sum(error) ** 2 / sum(e * e / (len(v) - 1) for e, v in zip(error, (first, second))))
    difference, scale = float(mean(first) - mean(second)), math.sqrt(sum(error))
    return {
        "t": difference / scale,
        "df": freedom,
        "p_value": student_p(difference / scale, freedom),
        "difference": difference,
        "low": difference - student_margin(freedom) * scale,
        "high": difference + student_margin(freedom) * scale,
        "means": {label: float(mean(values)) for label, values in groups.items()},
        "counts": {label: len(values) for label, values in groups.items()},
    }


def chi_squared_p(statistic, freedom):
    """The upper tail, by the recurrence from one or two degrees of freedom on."""
    half, degrees = statistic / 2, 2 - freedom % 2
    tail = math.exp(-half) if degrees == 2 else math.erfc(math.sqrt(half))
    while degrees < freedom:
        tail += math.exp(degrees / 2 * math.log(half) - half - math.lgamma(degrees / 2 + 1)) if half else 0.0
        degrees += 2
    return tail


def chi_squared(counts):
    """Pearson's, of a table of counts."""
    columns = list(next(iter(counts.values())))
    in_row = {row: sum(line.values()) for row, line in counts.items()}
    in_column = {column: sum(line[column] for line in counts.values()) for column in columns}
    height, width = (sum(total > 0 for total in totals.values()) for totals in (in_row, in_column))
    if min(height, width) < 2:
        return None
    total, freedom = sum(in_row.values()), (height - 1) * (width - 1)
    expected = {(row, column): Fraction(in_row[row] * in_column[column], total) for row in counts for column in columns}
    statistic = float(sum((counts[r][c] - e) ** 2 / e for (r, c), e in expected.items() if e))
    return {
        "chi_squared": statistic,
        "df": freedom,
        "p_value": chi_squared_p(statistic, freedom),
        "cramers_v": math.sqrt(statistic / (total * (min(height, width) - 1))),
        "counts": counts,
    }


def as_json(value):
    """A result as JSON has it: whole numbers as they are, others as the nearest double."""
    if isinstance(value, dict):
        return {str(key): as_json(cell) for key, cell in value.items()}
    if isinstance(value, list):
        return [as_json(element) for element in value]
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value


def is_same(found, expected, tolerance):
    """Equal, numbers up to a relative tolerance."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(is_same(found[key], expected[key], tolerance) for key in found)
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(is_same(*both, tolerance) for both in zip(found, expected))
    if isinstance(found, bool) or isinstance(expected, bool) or found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)
