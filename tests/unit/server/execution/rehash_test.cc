// Resizes that idle time finishes.
#include "server/execution/rehash.h"

#include <doctest/doctest.h>

#include "tests/unit/seed.h"
#include "tests/unit/server/execution/server_fixture.h"

using namespace vedette;

TEST_CASE("resizes under way are carried on in slices until they are done") {
  ServerFixture f(test_seed("rehash"));
  for (int db = 0; db < 2; db++)
    for (int i = 0; !f.state.keyspace.db(db).table().resizing() || i < 20000; i++) f.add(db, std::to_string(i), "v");
  f.state.settings.active_rehashing = false;
  CHECK_FALSE(run_rehash_slice(f.state, 1000));
  CHECK(f.state.keyspace.db(0).table().resizing());
  f.state.settings.active_rehashing = true;
  f.clock.step_ns = 400'000;
  int slices = 1;
  while (run_rehash_slice(f.state, 1000)) REQUIRE(slices++ < 1000);
  CHECK(slices > 5);
  for (int db = 0; db < 2; db++) CHECK_FALSE(f.state.keyspace.db(db).table().resizing());
}

TEST_CASE("a table that was emptied while it grew is made small in idle time") {
  ServerFixture f(test_seed("rehash after erasing"));
  Database& db = f.state.keyspace.db(0);
  int count = 0;
  for (; !db.table().resizing() || count < 20000; count++) f.add(0, std::to_string(count), "v");
  for (int i = 10; i < count; i++) {
    const std::string key = std::to_string(i);
    db.erase(db.key_of(key).hash, db.find(db.key_of(key)));
  }
  for (int i = 0; i < 10; i++) run_rehash_slice(f.state, 1000);
  CHECK(db.table().bucket_count() <= 32);
  CHECK(db.size() == 10);
}
