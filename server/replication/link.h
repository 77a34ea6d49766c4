// The outside as a replica sees it: a connection to its primary, and a place to put a snapshot aside. The app implements
// both with sockets and files, the simulation with memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace vedette {

class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  /// The connection stands, or (with a `failure`) cannot be made: it is of no use then.
  virtual void on_link_connected(const std::string& failure) = 0;
  /// Bytes have arrived; they end with the call.
  virtual void on_link_bytes(std::string_view bytes) = 0;
  /// False while nothing shall be read.
  virtual bool wants_link_bytes() const = 0;
  /// The connection is gone.
  virtual void on_link_closed(const std::string& reason) = 0;
};

/// What a connection is for. Whether it is encrypted is configured for each use.
enum class LinkUse : uint8_t { kReplication, kMigration };

/// One outgoing connection. Its destruction closes it; not from within a call of the owner's.
class OutgoingLink {
 public:
  virtual ~OutgoingLink() = default;
  virtual void send(std::string_view bytes) = 0;
  /// Bytes given to send() that the socket has not taken yet.
  virtual size_t unsent() const = 0;
  /// This end's address, "127.0.0.1:5000"; "?:0" while there is none.
  virtual std::string local_address() const { return "?:0"; }
  /// The owner wants to hear nothing more: it may be gone before the link is.
  virtual void disown() = 0;
};

/// A snapshot put aside while it arrives, to be read again from its beginning. Its destruction removes it.
class Spool {
 public:
  virtual ~Spool() = default;
  virtual void append(std::string bytes) = 0;
  /// Bytes given to append() that are not written yet.
  virtual uint64_t unwritten() const = 0;
  /// Calls back when everything has been written, or with what went wrong.
  virtual void finish(std::function<void(const Status&)> done) = 0;
  /// Calls back with the next piece, about `bytes`, from the beginning on; an empty one at the end. After finish().
  virtual void read(size_t bytes, std::function<void(Result<std::string>)> done) = 0;
  /// Keeps what was written under the snapshot's name instead of removing it. After finish().
  virtual void keep() = 0;
};

}  // namespace vedette
