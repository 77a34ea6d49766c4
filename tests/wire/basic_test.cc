// What every client does first: connect, ask, read back; one request at a time, many in a row, and inline.
#include <doctest/doctest.h>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"

namespace vedette::wire {

TEST_CASE("a client pings, sets and gets") {
  ServerProcess server;
  Connection client(server.port());
  CHECK(client("PING") == "+PONG");
  CHECK(client("PING hello") == "$hello");
  CHECK(client("GET key") == "nil");
  CHECK(client("SET key value") == "+OK");
  CHECK(client("GET key") == "$value");
  CHECK(client("DEL key key2") == ":1");
  CHECK(client("GET key") == "nil");
}

TEST_CASE("keys and values are bytes") {
  ServerProcess server;
  Connection client(server.port());
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  CHECK(client.call({"SET", all, all + all}) == "+OK");
  CHECK(client.call({"GET", all}) == "$" + all + all);
  CHECK(client.call({"SET", "", ""}) == "+OK");
  CHECK(client.call({"GET", ""}) == "$");
  CHECK(client("DBSIZE") == ":2");
}

TEST_CASE("a value of 20 MB comes back whole") {
  ServerProcess server;
  Connection client(server.port());
  std::string value(20'000'000, '.');
  for (size_t i = 0; i < value.size(); i += 997) value[i] = static_cast<char>('a' + i % 26);
  CHECK(client.call({"SET", "big", value}) == "+OK");
  CHECK((client.call({"GET", "big"}) == "$" + value));
}

TEST_CASE("the replies of a pipeline come in the order of its requests") {
  ServerProcess server;
  Connection client(server.port());
  constexpr int kRequests = 20'000;
  for (int i = 0; i < kRequests; ++i) {
    client.append({"INCR", "counter"});
    if (i % 1000 == 0) client.append({"ECHO", std::to_string(i)});
  }
  int mismatches = 0;
  for (int i = 0; i < kRequests; ++i) {
    mismatches += client.receive() != ":" + std::to_string(i + 1);
    if (i % 1000 == 0) mismatches += client.receive() != "$" + std::to_string(i);
  }
  CHECK(mismatches == 0);
}

TEST_CASE("many clients share one counter and miss no step") {
  ServerProcess server;
  constexpr int kClients = 50, kSteps = 100;
  std::vector<Connection> clients;
  for (int i = 0; i < kClients; ++i) clients.emplace_back(server.port());
  for (Connection& client : clients) {
    for (int step = 0; step < kSteps; ++step) client.append({"INCR", "shared"});
  }
  for (Connection& client : clients) {
    for (int step = 0; step < kSteps; ++step) client.receive();
  }
  CHECK(clients[0]("GET shared") == "$" + std::to_string(kClients * kSteps));
}

TEST_CASE("inline requests follow the quoting rules") {
  ServerProcess server;
  RawConnection client(server.port());
  client.send("   PING   \r\nPING\n\r\n\r\nPING\r\n");
  CHECK(client.receive(21) == "+PONG\r\n+PONG\r\n+PONG\r\n");
  client.send("SET \"\\x41\\n\" 'it\\'s'\r\nGET \"A\\n\"\r\n");
  CHECK(client.receive(15) == "+OK\r\n$4\r\nit's\r\n");
  client.send("SET two \"\"\r\nGET two\r\n");
  CHECK(client.receive(11) == "+OK\r\n$0\r\n\r\n");
}

TEST_CASE("inline and binary requests mix in one stream") {
  ServerProcess server;
  RawConnection client(server.port());
  client.send("SET a 1\r\n" + request({"GET", "a"}) + "GET a\r\n" + request({"PING"}));
  CHECK(client.receive(26) == "+OK\r\n$1\r\n1\r\n$1\r\n1\r\n+PONG\r\n");
}

TEST_CASE("a request torn at every byte is understood") {
  ServerProcess server;
  RawConnection client(server.port());
  const std::string bytes = request({"SET", "torn", "a\r\nb"}) + "GET torn\r\n" + request({"ECHO", ""});
  for (char byte : bytes) REQUIRE(client.send({&byte, 1}));
  CHECK(client.receive(21) == "+OK\r\n$4\r\na\r\nb\r\n$0\r\n\r\n");
}

TEST_CASE("a client that ends its stream still gets its replies") {
  ServerProcess server;
  RawConnection client(server.port());
  client.send(request({"SET", "k", "v"}) + request({"QUIT"}) + request({"SET", "k", "after"}));
  client.finish_sending();
  CHECK(client.receive_until_closed() == "+OK\r\n+OK\r\n");
  Connection other(server.port());
  CHECK(other("GET k") == "$v");
}

TEST_CASE("HELLO switches the protocol of one connection") {
  ServerProcess server;
  RawConnection client(server.port());
  client.send("HELLO 4\r\n");
  CHECK(client.receive_line() == "-NOPROTO unsupported protocol version");
  client.send("GET none\r\n");
  CHECK(client.receive_line() == "$-1");
  client.send("HELLO 3 SETNAME tester\r\n");
  CHECK(client.receive_line() == "%7");
  while (client.receive_line() != "$7" || client.receive_line() != "modules") {}
  CHECK(client.receive_line() == "*0");
  client.send("GET none\r\nCLIENT GETNAME\r\nCONFIG GET port\r\n");
  CHECK(client.receive_line() == "_");
  CHECK(client.receive(12) == "$6\r\ntester\r\n");
  CHECK(client.receive_line() == "%1");
}

TEST_CASE("a transaction of one connection is not seen by another before EXEC") {
  ServerProcess server;
  Connection writer(server.port()), reader(server.port());
  CHECK(writer("MULTI") == "+OK");
  CHECK(writer("SET k v") == "+QUEUED");
  CHECK(reader("GET k") == "nil");
  CHECK(writer("EXEC") == "[+OK]");
  CHECK(reader("GET k") == "$v");
  CHECK(reader("WATCH k") == "+OK");
  CHECK(writer("SET k w") == "+OK");
  CHECK(reader("MULTI") == "+OK");
  CHECK(reader("GET k") == "+QUEUED");
  CHECK(reader("EXEC") == "nil");
}

}  // namespace vedette::wire
