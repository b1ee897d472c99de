//! Helpers that find, lose and refuse each other.

use quorate_federation::{Card, Federation};
use quorate_helper::Limits;

use crate::support::{Helpers, replace_federation};

#[tokio::test(flavor = "multi_thread")]
async fn helpers_connect_in_any_order_and_again_after_one_was_away() {
    let helpers = Helpers::new(3, 1);
    let three = helpers.start(3, Limits::default()).await;
    let not_ready = helpers.get(3, "/v1/health/ready").await;
    assert_eq!((&*not_ready.status, not_ready.refusal().helpers), ("503", vec![1, 2]));

    let one = helpers.start(1, Limits::default()).await;
    let two = helpers.start(2, Limits::default()).await;
    for (number, others) in [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])] {
        helpers.wait_connected(number, &others).await;
        assert_eq!(helpers.get(number, "/v1/health/ready").await.status, "200");
    }
    two.stop().await.unwrap();
    helpers.wait_connected(1, &[3]).await;
    helpers.wait_connected(3, &[1]).await;
    let two = helpers.start(2, Limits::default()).await;
    helpers.wait_connected(1, &[2, 3]).await;
    helpers.wait_connected(2, &[1, 3]).await;
    for helper in [one, two, three] {
        helper.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_federation_file_with_the_same_keys_is_refused() {
    let helpers = Helpers::new(3, 1);
    let cards = |(_, member): (u8, &quorate_federation::Member)| Card::new(member.clone()).unwrap();
    let other = Federation::of_cards("tests", 2, helpers.federation.members().map(cards).collect()).unwrap();
    replace_federation(&helpers.dir(2), other.text());
    let one = helpers.start(1, Limits::default()).await;
    let two = helpers.start(2, Limits::default()).await;
    let three = helpers.start(3, Limits::default()).await;
    helpers.wait_connected(1, &[3]).await;
    helpers.wait_connected(3, &[1]).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    helpers.wait_connected(1, &[3]).await;
    helpers.wait_connected(2, &[]).await;
    for helper in [one, two, three] {
        helper.stop().await.unwrap();
    }
}
