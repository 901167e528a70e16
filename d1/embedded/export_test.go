package embedded

// OpenWithLockWait is Open, with a time to wait for other processes that suits a test.
var OpenWithLockWait = openDB
