#include "ocs/plan/share_budget.h"

#include "ocs/core/parallel.h"
#include "ocs/plan/choose_copies.h"

namespace ocs {

std::map<LayerId, std::vector<int>> share_budget(const std::vector<WeightProblem>& problems,
                                                 const CopyPrices& prices, double budget,
                                                 const LayerGains& gains) {
  const double most = budget * prices.total;
  std::vector<std::vector<CopyOffer>> offers(problems.size());
  parallel_for(problems.size(), [&](std::size_t i) {
    offers[i] = copy_offers(problems[i], prices.of[i], most);
    if (const auto gain = gains.find(problems[i].layer->id()); gain != gains.end())
      for (CopyOffer& offer : offers[i]) offer.error *= gain->second;
  });
  const std::vector<std::size_t> chosen = spend(offers, most);
  std::map<LayerId, std::vector<int>> copies;
  for (std::size_t i = 0; i < problems.size(); ++i)
    if (chosen[i] > 0) copies[problems[i].layer->id()] = offers[i][chosen[i]].copies;
  return copies;
}

}  // namespace ocs
