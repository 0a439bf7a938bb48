// The three networks, layer by layer, as torchvision has them; auxiliary classifiers and dropout, which
// only training uses, are left out.
#pragma once

#include "networks/layers.h"

namespace ocs::networks {

// Simonyan, Zisserman, arXiv 1409.1556, configuration D, with BatchNormalization.
void vgg16_bn(Layers& layers, std::int64_t resolution);
// Huang, Liu, van der Maaten, Weinberger, arXiv 1608.06993, Table 1.
void densenet121(Layers& layers, std::int64_t resolution);
// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, arXiv 1512.00567.
void inception_v3(Layers& layers, std::int64_t resolution);

}  // namespace ocs::networks
