#include "ocs/plan/remark.h"

namespace ocs {

void add_remark(LayerPlan& layer, const std::string& remark) {
  if (remark.empty() || layer.remark.find(remark) != std::string::npos) return;
  layer.remark += (layer.remark.empty() ? "" : "; ") + remark;
}

}  // namespace ocs
