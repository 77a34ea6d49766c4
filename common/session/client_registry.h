// All sessions, found by id or visited in no particular order.
#pragma once

#include <unordered_map>
#include <vector>

#include "common/session/session.h"

namespace vedette {

class ClientRegistry {
 public:
  ClientId next_id() { return ++last_id_; }

  void add(Session& session) {
    session.registry_index = uint32_t(all_.size());
    all_.push_back(&session);
    by_id_.emplace(session.id(), &session);
  }
  void remove(Session& session) {
    VED_ASSERT(all_[session.registry_index] == &session);
    all_.back()->registry_index = session.registry_index;
    all_[session.registry_index] = all_.back();
    all_.pop_back();
    by_id_.erase(session.id());
  }
  Session* find(ClientId id) const {
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : it->second;
  }
  /// In no particular order. The callee must not add or remove sessions.
  const std::vector<Session*>& sessions() const { return all_; }
  size_t size() const { return all_.size(); }

 private:
  std::vector<Session*> all_;
  std::unordered_map<ClientId, Session*> by_id_;
  ClientId last_id_ = 0;
};

}  // namespace vedette
