// Messages between connections: channels, patterns, shard channels, RESP3 pushes, a thousand subscribers,
// MONITOR.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {

TEST_CASE("a message reaches channel and pattern subscribers") {
  ServerProcess server;
  Connection channel(server.port()), pattern(server.port()), publisher(server.port());
  CHECK(channel("SUBSCRIBE news other") == "[$subscribe, $news, :1]");
  CHECK(channel.receive() == "[$subscribe, $other, :2]");
  CHECK(pattern("PSUBSCRIBE n*") == "[$psubscribe, $n*, :1]");
  CHECK(publisher("PUBLISH news hello") == ":2");
  CHECK(publisher("PUBLISH none hello") == ":1");
  CHECK(channel.receive() == "[$message, $news, $hello]");
  CHECK(pattern.receive() == "[$pmessage, $n*, $news, $hello]");
  CHECK(pattern.receive() == "[$pmessage, $n*, $none, $hello]");
  CHECK(channel("GET k") ==
        "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed "
        "in this "
        "context");
  CHECK(channel("PING") == "[$pong, $]");
  CHECK(channel("UNSUBSCRIBE") != "closed");
  channel.receive();
  CHECK(channel("GET k") == "nil");
}

TEST_CASE("a subscriber that leaves is forgotten") {
  ServerProcess server;
  Connection publisher(server.port());
  {
    Connection subscriber(server.port());
    CHECK(subscriber("SUBSCRIBE a") == "[$subscribe, $a, :1]");
    CHECK(subscriber("PSUBSCRIBE b*") == "[$psubscribe, $b*, :2]");
    CHECK(subscriber("SSUBSCRIBE c") == "[$ssubscribe, $c, :1]");
    CHECK(publisher("PUBSUB CHANNELS") == "[$a]");
    CHECK(publisher("PUBSUB NUMPAT") == ":1");
    CHECK(publisher("SPUBLISH c x") == ":1");
    CHECK(subscriber.receive() == "[$smessage, $c, $x]");
  }
  CHECK(eventually([&] { return publisher("PUBSUB CHANNELS") == "[]"; }));
  CHECK(publisher("PUBSUB NUMPAT") == ":0");
  CHECK(publisher("PUBSUB SHARDCHANNELS") == "[]");
}

TEST_CASE("in RESP3 messages are pushes between ordinary replies") {
  ServerProcess server;
  RawConnection subscriber(server.port());
  Connection publisher(server.port());
  subscriber.send("HELLO 3\r\n");
  while (subscriber.receive_line() != "modules") {}
  CHECK(subscriber.receive_line() == "*0");
  subscriber.send("SUBSCRIBE news\r\n");
  CHECK(subscriber.receive(33) == ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
  CHECK(publisher("PUBLISH news hi") == ":1");
  CHECK(subscriber.receive(35) == ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
  subscriber.send("GET k\r\n");
  CHECK(subscriber.receive_line() == "_");
}

TEST_CASE("one publisher reaches a thousand subscribers") {
  rlimit files{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  REQUIRE(files.rlim_cur >= 1200);
  ServerProcess server;
  std::vector<Connection> subscribers;
  for (int i = 0; i < 1000; ++i) subscribers.emplace_back(server.port());
  for (Connection& subscriber : subscribers) subscriber.append({"SUBSCRIBE", "all"});
  int wrong = 0;
  for (Connection& subscriber : subscribers) wrong += subscriber.receive() != "[$subscribe, $all, :1]";
  Connection publisher(server.port());
  for (int i = 0; i < 20; ++i) wrong += publisher("PUBLISH all message" + std::to_string(i)) != ":1000";
  wrong += publisher("PUBLISH all message0") != ":1000";
  for (Connection& subscriber : subscribers) {
    for (int i = 0; i < 20; ++i) wrong += subscriber.receive() != "[$message, $all, $message" + std::to_string(i) + "]";
  }
  CHECK(wrong == 0);
}

TEST_CASE("keyspace events are published when asked for") {
  ServerProcess server({"--notify-keyspace-events", "KEA"});
  Connection subscriber(server.port()), client(server.port());
  CHECK(subscriber("PSUBSCRIBE __key*__:*") == "[$psubscribe, $__key*__:*, :1]");
  CHECK(client("SET k v") == "+OK");
  CHECK(subscriber.receive() == "[$pmessage, $__key*__:*, $__keyspace@0__:k, $set]");
  CHECK(subscriber.receive() == "[$pmessage, $__key*__:*, $__keyevent@0__:set, $k]");
  CHECK(client("DEL k") == ":1");
  CHECK(subscriber.receive() == "[$pmessage, $__key*__:*, $__keyspace@0__:k, $del]");
}

TEST_CASE("MONITOR shows the commands of others and hides passwords") {
  ServerProcess server({"--requirepass", "secret"});
  Connection monitor(server.port()), client(server.port());
  CHECK(monitor("AUTH secret") == "+OK");
  CHECK(monitor("MONITOR") == "+OK");
  CHECK(client("AUTH secret") == "+OK");
  CHECK(client.call({"SET", "k", "a\"\n"}) == "+OK");
  const std::string line = monitor.receive();
  CHECK(line.find("secret") == std::string::npos);
  const std::string set = line.find("\"SET\"") == std::string::npos ? monitor.receive() : line;
  CHECK(set.find("\"SET\" \"k\" \"a\\\"\\n\"") != std::string::npos);
  CHECK(set.find("[0 127.0.0.1:") != std::string::npos);
}

}  // namespace vedette::wire
