// One connection, and the end of a turn for all of them.
#include "sentinel/app/links.h"

#include <utility>

namespace vedette::sentinel {
namespace {

// "127.0.0.1:80" and "[::1]:80" without their port.
std::string host_of(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

class Links::Connection final : public StreamOwner {
 public:
  Connection(Links& owner, LinkId id)
      : owner_(owner), id_(id), stream_(owner.loop_, owner.settings.tls ? Stream::Kind::kTls : Stream::Kind::kTcp, *this) {
    if (owner.settings.tls) stream_.use(owner.settings.tls);
  }

  void connect(const Address& to) { stream_.connect(to.host, to.port, owner_.settings.source); }
  /// True if it is to be flushed at the end of the turn, and was not before.
  bool queue(std::string_view bytes) {
    waiting_ += bytes;
    return !std::exchange(queued_, true);
  }
  void retire() { retired_ = true, stream_.stop_reading(); }

  void flush() {
    queued_ = false;
    if (!up_ || waiting_.empty() || stream_.writing()) return;
    const std::string_view piece = waiting_;
    const long wrote = stream_.try_write({&piece, 1});
    if (wrote < 0) return end("the connection broke while sending", stream_.ended_by_peer());
    if (size_t(wrote) == waiting_.size()) return waiting_.clear();
    waiting_.erase(0, size_t(wrote));
    in_flight_.swap(waiting_);
    const std::string_view rest = in_flight_;
    stream_.write({&rest, 1});
  }

  std::span<char> on_room_wanted() override { return {owner_.room_.get(), kRoomBytes}; }
  void on_bytes(size_t size) override {
    if (!retired_) owner_.listener_.on_link_bytes(id_, {owner_.room_.get(), size});
  }
  void on_end(const char* reason) override { end(reason, stream_.ended_by_peer()); }
  void on_written(bool failed) override {
    in_flight_.clear();
    if (failed) return end("the connection broke while sending", false);
    flush();
  }
  void on_connected(const std::string& failure) override {
    if (retired_) return;
    if (!failure.empty()) return tell_down(failure, stream_.refused(), false);
    up_ = true;
    stream_.set_no_delay(true);
    stream_.set_keep_alive(owner_.settings.keep_alive_seconds);
    stream_.start_reading();
    owner_.listener_.on_link_up(id_, host_of(stream_.local_address()));
    if (!retired_) flush();
  }

 private:
  void end(const std::string& reason, bool by_peer) {
    if (!retired_) tell_down(reason, false, by_peer);
  }
  void tell_down(const std::string& reason, bool refused, bool reset) {
    LinkListener& listener = owner_.listener_;
    const Closed event{id_, reason, refused, reset, stream_.failed_in_tls()};
    owner_.told_ = true;
    owner_.close(id_);
    listener.on_link_down(event);
  }

  Links& owner_;
  LinkId id_;
  Stream stream_;
  std::string waiting_, in_flight_;
  bool up_ = false, retired_ = false, queued_ = false;
};

Links::Links(Loop& loop, LinkListener& listener) : loop_(loop), listener_(listener), room_(new char[kRoomBytes]) {}

Links::~Links() = default;

void Links::open(LinkId id, const Address& to) {
  const auto [place, is_new] = links_.emplace(id, std::make_unique<Connection>(*this, id));
  VED_ASSERT(is_new);
  place->second->connect(to);
}

void Links::close(LinkId id) {
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  found->second->retire();
  retired_.push_back(std::move(found->second));
  links_.erase(found);
}

void Links::send(LinkId id, std::string_view bytes) {
  const auto found = links_.find(id);
  if (found != links_.end() && found->second->queue(bytes)) unsent_.push_back(id);
}

void Links::close_all() {
  while (!links_.empty()) close(links_.begin()->first);
}

// What is told of meanwhile may send more: that makes a round of its own.
bool Links::flush() {
  told_ = false;
  while (!unsent_.empty())
    for (const LinkId id : std::exchange(unsent_, {}))
      if (const auto found = links_.find(id); found != links_.end()) found->second->flush();
  retired_.clear();
  return told_;
}

}  // namespace vedette::sentinel
