// Names to addresses, looked up on libuv's thread pool.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "common/net/loop.h"

namespace vedette {

class Resolver {
 public:
  explicit Resolver(Loop& loop) : loop_(loop) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  /// What is under way is given up: nobody is called any more.
  ~Resolver();

  /// Calls `done` with the first address of `host` (IPv4 before IPv6), or with nothing if there is none; never within this
  /// call. A number is its own address.
  void resolve(const std::string& host, std::function<void(const std::string& ip)> done);

 private:
  struct Query;
  Loop& loop_;
  std::set<Query*> queries_;  // libuv's until they end; they then leave this set
};

}  // namespace vedette
