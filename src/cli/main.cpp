#include <iostream>

int main() {
  std::cout << "ocs\n";
  return 0;
}
