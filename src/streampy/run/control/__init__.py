"""How a running segment is seen and steered from outside: nothing in here touches an item, unless it is looked at."""
