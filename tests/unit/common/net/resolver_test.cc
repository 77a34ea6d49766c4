// Numbers and names; no name server is asked.
#include "common/net/resolver.h"

#include <doctest/doctest.h>

#include <map>

using namespace vedette;

TEST_CASE("numbers are their own addresses, and what is no name has none") {
  Loop loop;
  Resolver resolver(loop);
  const std::map<std::string, std::string> wanted = {{"127.0.0.1", "127.0.0.1"},   {"::1", "::1"},
                                                     {"localhost", "127.0.0.1"},   {"", ""},
                                                     {std::string("a\0b", 3), ""}, {std::string(2000, 'x'), ""}};
  std::map<std::string, std::string> found;
  bool within = true;
  for (const auto& [host, ip] : wanted)
    resolver.resolve(host, [&, name = host](const std::string& answer) {
      CHECK_FALSE(within);
      found[name] = answer;
      if (found.size() == wanted.size()) loop.stop();
    });
  within = false;
  loop.run();
  CHECK(found == wanted);
}

TEST_CASE("nobody is called once the resolver is gone") {
  Loop loop;
  int calls = 0;
  {
    Resolver resolver(loop);
    for (int i = 0; i < 20; i++) resolver.resolve("127.0.0.1", [&](const std::string&) { calls++; });
  }
  Timer timer(loop);
  timer.start(20, 0, [&] { loop.stop(); });
  loop.run();
  CHECK(calls == 0);
}
