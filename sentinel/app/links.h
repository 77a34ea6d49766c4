// The connections that a sentinel makes: to primaries, replicas and other sentinels. A thousand primaries are some six thousand
// of them, nearly always idle, so that a connection is its socket and two empty strings: all read into one buffer, and what is
// sent within a turn leaves together at its end.
//
// A connection that has been closed here is no more heard of, whatever libuv still has under way.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/net/stream.h"
#include "sentinel/core/events.h"

namespace vedette::sentinel {

/// Who is told of them. May open and close links from within.
class LinkListener {
 public:
  virtual ~LinkListener() = default;
  virtual void on_link_up(LinkId link, const std::string& local_host) = 0;
  virtual void on_link_bytes(LinkId link, std::string_view bytes) = 0;
  /// It has not come about, or is over.
  virtual void on_link_down(const Closed& event) = 0;
};

class Links {
 public:
  Links(Loop& loop, LinkListener& listener);
  ~Links();

  struct Settings {
    std::string source;                     ///< our own address of new links; empty: the system's choice
    unsigned keep_alive_seconds = 0;        ///< 0: none
    std::shared_ptr<const TlsContext> tls;  ///< of new links; null: they are not encrypted
  };
  Settings settings;

  /// `id` is new. Ends in on_link_up or on_link_down, never within this call.
  void open(LinkId id, const Address& to);
  /// Nothing if there is no such link (any more).
  void close(LinkId id);
  /// Goes out with the next flush(). Nothing if there is no such link.
  void send(LinkId id, std::string_view bytes);
  /// To be called before the loop waits. True if the listener was told of something: then the turn is not over yet.
  bool flush();
  size_t size() const { return links_.size(); }
  void close_all();

 private:
  class Connection;
  static constexpr size_t kRoomBytes = 64 * 1024;

  Loop& loop_;
  LinkListener& listener_;
  std::unique_ptr<char[]> room_;
  std::unordered_map<LinkId, std::unique_ptr<Connection>> links_;
  std::vector<LinkId> unsent_;                        // have bytes for this turn's end
  std::vector<std::unique_ptr<Connection>> retired_;  // closed, perhaps from within their own callback
  bool told_ = false;                                 // of an end, since the last flush began
};

}  // namespace vedette::sentinel
