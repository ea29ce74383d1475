// fixed: the program that pie tries to run; it is linked for one address and never starts here
int main(void) { return 0; }
