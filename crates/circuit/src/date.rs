//! Dates: days since 1970-01-01 in the Gregorian calendar, years 1 to 9999, written `2024-03-01`.
//!
//! The conversions are those of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013: years begin in March,
//! so that the day that leap years add is the last.

use quorate_field::Integer;

/// Days of 400 years.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// The days of a date that is written with four, two and two digits; `None` if it is none.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let is_digit = |place: usize| bytes[place].is_ascii_digit();
    if bytes.len() != 10 || !(0..10).all(|i| if i == 4 || i == 7 { bytes[i] == b'-' } else { is_digit(i) }) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let days = (1..=12).contains(&month).then(|| days_of(year, month, day))?;
    // A day that the month has not is one of the next month.
    (year >= 1 && date_of(days) == (year, month, day)).then_some(days)
}

/// The date that is `days` after 1970-01-01, as it is written; the number itself where that is no year of four digits.
pub(crate) fn date_text(days: &Integer) -> String {
    let days = days.to_i128().and_then(|days| i64::try_from(days).ok());
    match days.filter(|days| days.abs() < 10_000 * 366).map(date_of) {
        Some((year @ 1..=9999, month, day)) => format!("{year:04}-{month:02}-{day:02}"),
        _ => days.map_or_else(String::new, |days| days.to_string()),
    }
}

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA + year * 365 + year / 4 - year / 100 + day_of_year - EPOCH
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2024-03-01", 19_783),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(parse_date(text), Some(days), "{text}");
            assert_eq!(date_text(&Integer::from(days)), text);
        }
    }

    #[test]
    fn days_in_a_row_are_dates_in_a_row() {
        let mut last = date_of(-800_000);
        for days in -799_999..3_000_000 {
            let date = date_of(days);
            assert_eq!(days_of(date.0, date.1, date.2), days);
            let is_next = match (date.0 - last.0, date.1 - last.1) {
                (0, 0) => date.2 == last.2 + 1,
                (0, 1) => date.2 == 1 && last.2 >= 28,
                (1, -11) => date.2 == 1 && last.2 == 31,
                _ => false,
            };
            assert!(is_next, "{last:?} {date:?}");
            last = date;
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "2024-04-31",
            "0000-01-01",
            "24-01-01",
            "2024-1-1",
            "2024/01/01",
            "2024-01-01T",
            "+024-01-01",
            "2024-01-0٣",
            "",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
