// CLIENT from outside: what it does to other connections can only be seen over sockets.
#include <doctest/doctest.h>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {

TEST_CASE("CLIENT KILL closes the connections its filters name") {
  ServerProcess server;
  Connection killer(server.port()), victim(server.port()), bystander(server.port());
  const std::string id = victim("CLIENT ID").substr(1);
  CHECK(killer("CLIENT KILL ID " + id) == ":1");
  CHECK(victim("PING") == "closed");
  CHECK(bystander("PING") == "+PONG");
  CHECK(killer("CLIENT KILL TYPE normal") == ":1");
  CHECK(bystander("PING") == "closed");
  CHECK(killer("PING") == "+PONG");
  CHECK(killer("CLIENT KILL TYPE normal SKIPME no") == ":1");
  CHECK(killer("PING") == "closed");
}

TEST_CASE("a client that kills itself by the old form gets its reply first") {
  ServerProcess server;
  RawConnection client(server.port());
  client.send("CLIENT KILL TYPE normal SKIPME no\r\nPING\r\n");
  CHECK(client.receive_until_closed() == ":1\r\n");
}

TEST_CASE("CLIENT REPLY mutes and skips") {
  ServerProcess server;
  RawConnection client(server.port());
  client.send("CLIENT REPLY SKIP\r\nPING\r\nECHO one\r\n");
  CHECK(client.receive(9) == "$3\r\none\r\n");
  client.send("CLIENT REPLY OFF\r\nPING\r\nNOSUCH\r\nCLIENT REPLY ON\r\nECHO two\r\n");
  CHECK(client.receive(14) == "+OK\r\n$3\r\ntwo\r\n");
}

TEST_CASE("CLIENT PAUSE WRITE holds writes and lets reads through") {
  ServerProcess server;
  Connection client(server.port());
  CHECK(client("SET k before") == "+OK");
  CHECK(client("CLIENT PAUSE 100000 WRITE") == "+OK");
  RawConnection sender(server.port());
  sender.send("SET k second\r\nGET k\r\n");
  CHECK(eventually([&] { return client("INFO clients").find("blocked_clients:1") != std::string::npos; }));
  CHECK(client("GET k") == "$before");
  CHECK(client("CLIENT UNPAUSE") == "+OK");
  CHECK(sender.receive(17) == "+OK\r\n$6\r\nsecond\r\n");
}

TEST_CASE("CLIENT LIST tells every connection once") {
  ServerProcess server;
  Connection first(server.port()), second(server.port());
  CHECK(first("CLIENT SETNAME first") == "+OK");
  CHECK(second("CLIENT SETNAME second") == "+OK");
  CHECK(second("SELECT 3") == "+OK");
  const std::string list = first("CLIENT LIST");
  CHECK(list.find(" name=first ") != std::string::npos);
  const size_t line = list.find(" name=second ");
  REQUIRE(line != std::string::npos);
  CHECK(list.find(" db=3 ", line) != std::string::npos);
  CHECK(list.find(" cmd=select ", line) != std::string::npos);
  CHECK(list.find(" name=second ", line + 1) == std::string::npos);
}

TEST_CASE("RESET brings a connection back to its beginning") {
  ServerProcess server;
  Connection client(server.port());
  CHECK(client("CLIENT SETNAME named") == "+OK");
  CHECK(client("SELECT 5") == "+OK");
  CHECK(client("MULTI") == "+OK");
  CHECK(client("RESET") == "+RESET");
  CHECK(client("CLIENT GETNAME") == "nil");
  CHECK(client("EXEC") == "-ERR EXEC without MULTI");
  CHECK(client("SET k v") == "+OK");
  CHECK(client("SELECT 0") == "+OK");
  CHECK(client("GET k") == "$v");
}

}  // namespace vedette::wire
