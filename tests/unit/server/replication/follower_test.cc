// What a replica says of itself, and what is said of it.
#include "server/replication/follower.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/base/rng.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

using Kind = ReplconfOutcome::Kind;
constexpr int64_t kSecond = 1000000000;

Result<ReplconfOutcome> replconf(Follower& follower, std::vector<std::string_view> args) { return apply_replconf(args, follower); }

std::string error_of(std::vector<std::string_view> args) {
  Follower follower;
  const auto outcome = apply_replconf(args, follower);
  return outcome ? "none" : outcome.error().text();
}

}  // namespace

TEST_CASE("a replica presents itself with options") {
  Follower follower;
  CHECK(replconf(follower, {})->kind == Kind::kOptions);
  CHECK(replconf(follower, {"listening-port", "6380"})->kind == Kind::kOptions);
  CHECK(replconf(follower, {"CAPA", "EOF", "capa", "psync2", "capa", "telepathy"})->kind == Kind::kOptions);
  CHECK(replconf(follower, {"ip-address", "10.0.0.1", "version", "8.1.0"})->kind == Kind::kOptions);
  CHECK(follower.listening_port == 6380);
  CHECK(follower.can_eof);
  CHECK(follower.can_psync2);
  CHECK(follower.announced_ip == "10.0.0.1");
  CHECK(follower.version == "8.1.0");
  CHECK_FALSE(follower.rdb_only);
}

TEST_CASE("a reader of snapshots says what it wants of them") {
  Follower follower;
  REQUIRE(replconf(follower, {"rdb-only", "1", "rdb-filter-only", "functions"}));
  CHECK(follower.rdb_only);
  CHECK(follower.without_data);
  CHECK_FALSE(follower.without_functions);
  REQUIRE(replconf(follower, {"rdb-only", "0", "rdb-filter-only", ""}));
  CHECK_FALSE(follower.rdb_only);
  CHECK(follower.without_data);
  CHECK(follower.without_functions);
}

TEST_CASE("faulty options are answered as every server of the protocol answers them") {
  CHECK(error_of({"x"}) == "ERR syntax error");
  CHECK(error_of({"capa", "eof", "x"}) == "ERR syntax error");
  CHECK(error_of({"x", "y"}) == "ERR Unrecognized REPLCONF option: x");
  CHECK(error_of({std::string_view("x\0y", 3), "y"}) == "ERR Unrecognized REPLCONF option: x");
  CHECK(error_of({"listening-port", "abc"}) == "ERR value is not an integer or out of range");
  CHECK(error_of({"listening-port", "99999999999999999999"}) == "ERR value is not an integer or out of range");
  CHECK(error_of({"ip-address", std::string(255, 'a')}) == "none");
  CHECK(error_of({"ip-address", std::string(256, 'a')}) == "ERR REPLCONF ip-address provided by replica instance is too long: 256 bytes");
  CHECK(error_of({"rdb-only", "2"}) == "ERR value is out of range, value must between 0 and 1");
  CHECK(error_of({"rdb-only", "x"}) == "ERR value is not an integer or out of range");
  CHECK(error_of({"rdb-filter-only", "foo"}) == "ERR Unsupported rdb-filter-only option: foo");
  CHECK(error_of({"rdb-filter-only", "functions bar"}) == "ERR Unsupported rdb-filter-only option: bar");
  CHECK(error_of({"rdb-filter-only", "\"foo"}) == "ERR Missing rdb-filter-only values");
  CHECK(error_of({"version", std::string(33, '8')}) == "ERR REPLCONF version is too long");
}

TEST_CASE("options before a faulty one have been taken in") {
  Follower follower;
  CHECK_FALSE(replconf(follower, {"listening-port", "7", "x", "y", "capa", "eof"}));
  CHECK(follower.listening_port == 7);
  CHECK_FALSE(follower.can_eof);
}

TEST_CASE("acknowledgements are told apart from options") {
  Follower follower;
  const auto ack = replconf(follower, {"ack", "17"});
  CHECK(ack->kind == Kind::kAck);
  CHECK(ack->ack == 17);
  CHECK_FALSE(ack->synced);
  const auto both = replconf(follower, {"ACK", "17", "FACK", "12"});
  CHECK(both->ack == 17);
  CHECK(both->synced == 12);
  CHECK(replconf(follower, {"ack", "x"})->kind == Kind::kIgnored);
  CHECK(replconf(follower, {"getack", "*"})->kind == Kind::kGetAck);
}

TEST_CASE("an acknowledgement never goes back, nor beyond the stream") {
  Follower follower{.state = Follower::State::kOnline};
  CHECK(follower.acknowledge(100, 50, 200, {1}));
  CHECK(follower.acked_once);
  CHECK(follower.acknowledge(90, 40, 200, {2}));
  CHECK(follower.ack_offset == 100);
  CHECK(follower.aof_offset == 50);
  CHECK(follower.last_ack == Instant{2});
  CHECK_FALSE(follower.acknowledge(201, std::nullopt, 200, {3}));
  CHECK_FALSE(follower.acknowledge(-1, std::nullopt, 200, {3}));
  CHECK_FALSE(follower.acknowledge(150, 201, 200, {3}));
  CHECK_FALSE(follower.acknowledge(150, -1, 200, {3}));
  CHECK(follower.ack_offset == 100);
  CHECK(follower.last_ack == Instant{2});
}

TEST_CASE("lag is whole seconds since the last sign of life") {
  Follower follower{.state = Follower::State::kSendBulk};
  follower.alive({5 * kSecond});
  CHECK(follower.lag_seconds({60 * kSecond}) == 0);
  CHECK_FALSE(follower.is_good(10, {5 * kSecond}));
  follower.state = Follower::State::kOnline;
  CHECK(follower.lag_seconds({6 * kSecond - 1}) == 0);
  CHECK(follower.lag_seconds({6 * kSecond}) == 1);
  CHECK(follower.lag_seconds({4 * kSecond}) == 0);
  CHECK(follower.is_good(10, {15 * kSecond}));
  CHECK_FALSE(follower.is_good(10, {16 * kSecond}));
}

TEST_CASE("INFO and ROLE name the address that was announced, else the one it comes from") {
  Follower follower{.state = Follower::State::kOnline, .listening_port = 6380, .ack_offset = 14, .peer_ip = "127.0.0.1"};
  follower.last_ack = {0};
  CHECK(info_line(0, follower, {kSecond}) == "slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=1");
  follower.announced_ip = "replica.example";
  follower.state = Follower::State::kWaitBgsave;
  CHECK(info_line(12, follower, {kSecond}) == "slave12:ip=replica.example,port=6380,state=wait_bgsave,offset=14,lag=0");
  const RoleRow row = role_row(follower);
  CHECK(row.ip == "replica.example");
  CHECK(row.port == "6380");
  CHECK(row.offset == "14");
}

TEST_CASE("whatever words come, REPLCONF answers") {
  Rng rng(test_seed("replconf"));
  const std::string_view known[] = {"listening-port",
                                    "ip-address",
                                    "capa",
                                    "version",
                                    "rdb-only",
                                    "rdb-filter-only",
                                    "ack",
                                    "fack",
                                    "getack",
                                    "eof",
                                    "psync2",
                                    "functions",
                                    "1",
                                    "-1",
                                    "99999999",
                                    "",
                                    "\"",
                                    "\xff\x00"};
  for (int round = 0; round < 20000; round++) {
    Follower follower;
    std::vector<std::string_view> args(rng.below(7));
    for (std::string_view& arg : args) arg = known[rng.below(std::size(known))];
    const auto outcome = apply_replconf(args, follower);
    if (args.size() % 2) CHECK_FALSE(outcome);
    if (!outcome) CHECK(outcome.error().text().substr(0, 4) == "ERR ");
  }
}
