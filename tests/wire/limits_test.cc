// Clients that take more than their share: too many, too idle, too slow to read, too fast to write. None
// of them delays the others, and none makes the server grow without bound.
#include <algorithm>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

/// The number of the field `name` in INFO's `section`; -1 if there is none.
long long info_number(Connection& client, const std::string& section, const std::string& name) {
  const std::string text = client.call({"INFO", section});
  const size_t at = text.find("\n" + name + ":");
  return at == std::string::npos ? -1 : std::atoll(text.c_str() + at + name.size() + 2);
}

bool has_client(Connection& client, const std::string& name) {
  return client("CLIENT LIST").find(" name=" + name + " ") != std::string::npos;
}

/// The number after `field`= in the line of CLIENT LIST for the client of this name; -1 if there is none.
long long client_number(Connection& client, const std::string& name, const std::string& field) {
  const std::string text = client("CLIENT LIST");
  const size_t line = text.find(" name=" + name + " ");
  const size_t at = line == std::string::npos ? line : text.find(" " + field + "=", line);
  return at == std::string::npos ? -1 : std::atoll(text.c_str() + at + field.size() + 2);
}

}  // namespace

TEST_CASE("one client more than maxclients is told so and turned away") {
  ServerProcess server({"--maxclients", "3"});
  Connection first(server.port()), second(server.port());
  {
    Connection third(server.port());
    CHECK(first("PING") == "+PONG");
    CHECK(second("PING") == "+PONG");
    CHECK(third("PING") == "+PONG");
    RawConnection fourth(server.port());
    CHECK(fourth.receive_until_closed() == "-ERR max number of clients reached\r\n");
    CHECK(info_number(first, "stats", "rejected_connections") == 1);
  }
  CHECK(eventually([&] { return info_number(first, "clients", "connected_clients") == 2; }));
  Connection again(server.port());
  CHECK(again("PING") == "+PONG");
}

TEST_CASE("an idle client is closed after timeout, a subscriber is not") {
  ServerProcess server({"--timeout", "1"});
  Connection subscriber(server.port());
  CHECK(subscriber("SUBSCRIBE news") == "[$subscribe, $news, :1]");
  RawConnection idle(server.port());
  CHECK(idle.receive_until_closed() == "");
  Connection publisher(server.port());
  CHECK(publisher("PUBLISH news hello") == ":1");
  CHECK(subscriber.receive() == "[$message, $news, $hello]");
}

TEST_CASE("a subscriber that does not read is dropped at its output limit") {
  ServerProcess server({"--client-output-buffer-limit", "pubsub 1mb 0 0"});
  RawConnection slow(server.port());
  slow.send("SUBSCRIBE flood\r\n");
  CHECK(slow.receive_line() == "*3");
  Connection publisher(server.port());
  const std::string message(65536, 'm');
  CHECK(eventually([&] { return publisher.call({"PUBLISH", "flood", message}) == ":0"; }));
  CHECK(publisher("PUBSUB NUMSUB flood") == "[$flood, :0]");
}

TEST_CASE("a client that asks without reading is dropped at its output limit") {
  ServerProcess server({"--client-output-buffer-limit", "normal 4mb 0 0"});
  Connection other(server.port());
  CHECK(other.call({"SET", "big", std::string(1'000'000, 'v')}) == "+OK");
  RawConnection slow(server.port());
  slow.send("CLIENT SETNAME slow\r\n");
  CHECK(slow.receive_line() == "+OK");
  CHECK(has_client(other, "slow"));
  for (int i = 0; i < 100 && slow.send(request({"GET", "big"})); ++i) {}
  CHECK(eventually([&] { return !has_client(other, "slow"); }));
}

TEST_CASE("a soft output limit drops a client only after its seconds") {
  ServerProcess server({"--client-output-buffer-limit", "normal 0 1mb 1"});
  Connection other(server.port());
  CHECK(other.call({"SET", "big", std::string(1'000'000, 'v')}) == "+OK");
  RawConnection slow(server.port());
  slow.send("CLIENT SETNAME slow\r\n");
  CHECK(slow.receive_line() == "+OK");
  for (int i = 0; i < 40; ++i) slow.send(request({"GET", "big"}));
  CHECK(has_client(other, "slow"));
  CHECK(eventually([&] { return !has_client(other, "slow"); }));
}

TEST_CASE("maxmemory-clients closes the client that holds most") {
  ServerProcess server({"--maxmemory-clients", "8mb"});
  Connection other(server.port());
  CHECK(other.call({"SET", "big", std::string(1'000'000, 'v')}) == "+OK");
  RawConnection slow(server.port());
  slow.send("CLIENT SETNAME slow\r\n");
  CHECK(slow.receive_line() == "+OK");
  for (int i = 0; i < 100 && slow.send(request({"GET", "big"})); ++i) {}
  CHECK(eventually([&] { return !has_client(other, "slow"); }));
  CHECK(info_number(other, "stats", "evicted_clients") == 1);
}

TEST_CASE("equal requests under way take the same memory, in whatever pieces they come") {
  ServerProcess server;
  Connection other(server.port());
  RawConnection whole(server.port()), pieces(server.port());
  const std::string start = "*1\r\n$1048576\r\n" + std::string(1'048'576, 'v');
  const auto size = static_cast<long long>(start.size());
  whole.send("CLIENT SETNAME whole\r\n" + start);
  CHECK(whole.receive_line() == "+OK");
  pieces.send("CLIENT SETNAME pieces\r\n");
  CHECK(pieces.receive_line() == "+OK");
  for (size_t at = 0; at < start.size(); at += 7'000) {
    pieces.send(std::string_view(start).substr(at, 7'000));
    if (at % 21'000 == 0) other("PING");
  }
  for (const char* name : {"whole", "pieces"}) {
    CHECK(eventually([&] { return client_number(other, name, "qbuf") == size; }));
    CHECK(client_number(other, name, "tot-mem") < size + size / 3);  // the allocator rounds up
  }
  CHECK(client_number(other, "whole", "tot-mem") == client_number(other, "pieces", "tot-mem"));
  whole.send("\r\n");
  CHECK(whole.receive_line().starts_with("-ERR unknown command"));
}

TEST_CASE("a value of some megabytes is counted from its announcement on, a larger one as it arrives") {
  ServerProcess server;
  Connection other(server.port());
  for (const long long size : {3000000LL, 300000000LL}) {
    RawConnection sender(server.port());
    const std::string name = "n" + std::to_string(size);
    sender.send("CLIENT SETNAME " + name + "\r\n");
    CHECK(sender.receive_line() == "+OK");
    sender.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + std::to_string(size) + "\r\nbegin");
    CHECK(eventually([&] { return client_number(other, name, "tot-mem") >= std::min(size, 4000000LL); }));
    CHECK(client_number(other, name, "tot-mem") < 6000000);
  }
}

TEST_CASE("an endless pipeline does not keep others waiting") {
  ServerProcess server;
  RawConnection greedy(server.port());
  std::string pipeline;
  for (int i = 0; i < 200'000; ++i) pipeline += "*2\r\n$4\r\nINCR\r\n$6\r\ngreedy\r\n";
  Connection other(server.port());
  size_t sent = 0;
  int turns = 0;
  // While the pipeline flows, the other client's requests are answered between its parts.
  const bool done = eventually([&] {
    sent += greedy.send_some(std::string_view(pipeline).substr(sent, 1 << 20));
    turns += other("PING") == "+PONG";
    return sent == pipeline.size();
  });
  CHECK(done);
  CHECK(turns > 0);
  CHECK(eventually([&] { return other("GET greedy") == "$200000"; }));
  size_t bytes = 0;
  for (int i = 1; i <= 200'000; ++i) bytes += 3 + std::to_string(i).size();
  CHECK(greedy.receive(bytes).size() == bytes);
}

TEST_CASE("a pipeline of a million commands by a client that never reads does not stop the server") {
  ServerProcess server;
  RawConnection silent(server.port());
  std::string part;
  for (int i = 0; i < 1000; ++i) part += "*1\r\n$4\r\nPING\r\n";
  Connection other(server.port());
  for (int i = 0; i < 1000; ++i) silent.send_some(part);
  CHECK(other("SET k v") == "+OK");
  CHECK(other("GET k") == "$v");
}

TEST_CASE("a client that sends a byte at a time delays nobody") {
  ServerProcess server;
  RawConnection slow(server.port());
  Connection other(server.port());
  for (char byte : request({"SET", "slow", "done"})) {
    slow.send({&byte, 1});
    REQUIRE(other("PING") == "+PONG");
  }
  CHECK(slow.receive_line() == "+OK");
}

TEST_CASE("maxmemory refuses writes under noeviction and evicts under allkeys-lru") {
  ServerProcess server({"--maxmemory", "20mb", "--maxmemory-policy", "noeviction"});
  Connection client(server.port());
  const std::string value(100'000, 'v');
  std::string answer = "+OK";
  for (int i = 0; i < 400 && answer == "+OK"; ++i) answer = client.call({"SET", "k" + std::to_string(i), value});
  CHECK(answer == "-OOM command not allowed when used memory > 'maxmemory'.");
  CHECK((client("GET k0") == "$" + value));
  CHECK(client("CONFIG SET maxmemory-policy allkeys-lru") == "+OK");
  for (int i = 0; i < 400; ++i) REQUIRE(client.call({"SET", "n" + std::to_string(i), value}) == "+OK");
  CHECK(info_number(client, "stats", "evicted_keys") > 0);
  CHECK(info_number(client, "memory", "used_memory") <= 20 * 1024 * 1024);
}

TEST_CASE("keys expire without being touched") {
  ServerProcess server;
  Connection client(server.port());
  for (int i = 0; i < 1000; ++i) client.append({"SET", "k" + std::to_string(i), "v", "PX", "1"});
  for (int i = 0; i < 1000; ++i) client.receive();
  CHECK(client("SET stays v") == "+OK");
  CHECK(eventually([&] { return client("DBSIZE") == ":1"; }));
  CHECK(info_number(client, "stats", "expired_keys") == 1000);
}

TEST_CASE("a client that is cut off at its output limit takes no other's reply with it") {
  ServerProcess server({"--client-output-buffer-limit", "normal 1mb 0 0", "--enable-debug-command", "yes"});
  Connection control(server.port());
  CHECK(control("SET big " + std::string(8 << 20, 'x')) == "+OK");
  for (int round = 0; round < 3; round++) {
    RawConnection sleeper(server.port()), greedy(server.port());
    std::vector<std::unique_ptr<RawConnection>> others;
    for (int i = 0; i < 6; i++) others.push_back(std::make_unique<RawConnection>(server.port()));
    sleeper.send("DEBUG SLEEP 0.2\r\n");
    // All of these are ready in the turn that follows the sleep.
    for (int i = 0; i < 3; i++) others[size_t(i)]->send("PING\r\n");
    greedy.send("GET big\r\n");
    for (int i = 3; i < 6; i++) others[size_t(i)]->send("PING\r\n");
    for (auto& other : others) CHECK(other->receive_line() == "+PONG");
    CHECK(sleeper.receive_line() == "+OK");
    greedy.receive_until_closed();
  }
  CHECK(eventually([&] { return info_number(control, "clients", "connected_clients") == 1; }));
}

TEST_CASE("a long pipeline without replies is read to its end") {
  ServerProcess server;
  RawConnection client(server.port());
  std::string pipeline = "CLIENT REPLY OFF\r\n";
  for (int i = 0; i < 200000; i++) pipeline += "SET key:" + std::to_string(i) + " v\r\n";
  REQUIRE(client.send(pipeline + "CLIENT REPLY ON\r\nDBSIZE\r\n"));
  CHECK(client.receive_line() == "+OK");
  CHECK(client.receive_line() == ":200000");
}

TEST_CASE("a closing client that does not read its replies is timed out") {
  ServerProcess server({"--timeout", "1"});
  Connection control(server.port());
  CHECK(control("SET big " + std::string(16 << 20, 'x')) == "+OK");
  RawConnection stuck(server.port());
  stuck.send("CLIENT SETNAME stuck\r\nGET big\r\nQUIT\r\n");
  CHECK(eventually([&] { return !has_client(control, "stuck"); }));
}

}  // namespace vedette::wire
